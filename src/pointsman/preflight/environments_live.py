"""A service as it runs now: what ``gcloud`` says of it. Asked only where somebody names it."""

import subprocess
from collections.abc import Callable, Sequence

_SECONDS = 60.0
_MOST = 4 * 1024 * 1024
Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[bytes]"]


def describe(service: str, run: Run | None = None) -> bytes:
    """Return the description of a service of Cloud Run as JSON.

    ``service`` is ``NAME``, ``NAME@REGION`` or ``NAME@REGION@PROJECT``.

    Raises:
        ValueError: gcloud is not there, refused, or took longer than a minute; it says what to do.
    """
    name, region, project = (*service.split("@"), "", "")[:3]
    if not name or name.startswith("-"):
        raise ValueError("live: the name of a service is wanted, live:NAME@REGION@PROJECT")
    words = ["gcloud", "run", "services", "describe", name, "--format=json"]
    words += [f"--region={region}"] if region else []
    words += [f"--project={project}"] if project else []
    typed = " ".join(words)
    try:
        ended = (run or _run)(words)
    except OSError as error:
        raise ValueError(
            f"could not verify: gcloud cannot be run ({error.strerror}); where it is, type "
            f"{typed} > service.json and compare with service.json"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ValueError(
            f"could not verify: no answer within {_SECONDS:.0f} s to {typed}"
        ) from error
    if ended.returncode:
        said = " ".join(ended.stderr.decode("utf-8", "replace").split())[:400]
        raise ValueError(f"could not verify: {typed} ended with {ended.returncode}: {said}")
    return ended.stdout[:_MOST]


def _run(words: Sequence[str]) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(words, capture_output=True, check=False, timeout=_SECONDS,
                          stdin=subprocess.DEVNULL)  # fmt: skip
