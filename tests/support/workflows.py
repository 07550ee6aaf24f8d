"""The GitHub workflows and the scripts inside them."""

import yaml

from deploy.local.engines import ROOT

FOLDER = ROOT / ".github"
FILES = sorted([*FOLDER.glob("workflows/*.yml"), *FOLDER.glob("actions/*/action.yml")])


def scripts() -> dict[str, str]:
    """Return each `run` script, by file and step name."""
    found: dict[str, str] = {}
    for path in FILES:
        content = yaml.safe_load(path.read_text())
        parts = content["jobs"].values() if "jobs" in content else [content["runs"]]
        steps = [step for part in parts for step in part.get("steps", [])]
        found |= {
            f"{path.parent.name}/{path.stem}: {step['name']}": step["run"]
            for step in steps
            if "run" in step
        }
    return found
