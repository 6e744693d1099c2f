"""Run inside the environment of a wheel: imports the package and reads the schemas that it must ship.

`python -I checks/shipped.py MODULE [FORMAT ...]`; isolated, so that nothing of the workspace is found by accident.
"""

import importlib
import json
import sys
from importlib.resources import files

if __name__ == "__main__":
    module, *formats = sys.argv[1:]
    importlib.import_module(module)
    shipped = {place.name: place for place in (files(module) / "schemas").iterdir()} if formats else {}
    for name in formats:
        if f"{name}.schema.json" not in shipped:
            sys.exit(f"{module}: the wheel holds no schemas/{name}.schema.json")
        json.loads(shipped[f"{name}.schema.json"].read_text(encoding="utf-8"))
    print(f"{module}: imports, {len(formats)} schemas shipped")
