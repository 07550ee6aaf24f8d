/* Keeps htmx within our content security policy: it adds no <style> (theme_colours.css has those
   rules) and evaluates no code. */
"use strict";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
