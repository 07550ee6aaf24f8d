/* htmx within our content security policy: no <style> of its own (colours.css has it), and nothing it would evaluate. */
"use strict";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
