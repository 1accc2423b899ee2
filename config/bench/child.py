"""One step in a process of its own: `python -m config.bench.child STEP SIZE REPEAT SAMPLE`, its figures as JSON."""

import inspect
import json
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.bench.settings")


def run(step: str, size: int, repeat: int, sample: int) -> dict:
    import django

    django.setup()
    from django.core.management import call_command

    from config.bench import data, pages, steps

    if step == "migrate":
        call_command("migrate", verbosity=0)
        return {}
    if step == "fill":
        began = time.perf_counter()
        data.fill(size)
        return {"seconds": time.perf_counter() - began}
    if step == "write":
        return pages.write(size)
    deed = getattr(steps, step, None) or getattr(pages, step)
    more = {"sample": sample} if "sample" in inspect.signature(deed).parameters else {}
    return deed(size, repeat, **more).as_dict()


if __name__ == "__main__":
    result = run(sys.argv[1], *map(int, sys.argv[2:5]))
    print(json.dumps(result, ensure_ascii=False, default=str))
