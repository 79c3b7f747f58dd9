"""From a frame's header and body to the delivery that the runtime reads."""

from collections.abc import Mapping

from pointsman.case import Delivery
from pointsman.serve import exec_gate


def delivery_of(header: Mapping[str, str], body: bytes, undelivered: str = "") -> Delivery:
    """Return what a frame delivers; ``undelivered`` is why its client had to answer alone."""
    if header.get("host") == exec_gate.HOST:
        return exec_gate.delivery(header, body, undelivered)
    size, pid = header.get("size", ""), header.get("env.CLAUDE_PID", "")
    return Delivery(
        host=header.get("host", ""),
        event=header.get("event", ""),
        payload=body,
        size=int(size) if size.isdecimal() else -1,
        cwd=header.get("cwd", ""),
        project=header.get("env.CLAUDE_PROJECT_DIR", ""),
        host_config=header.get("env.CLAUDE_CONFIG_DIR", ""),
        transport="spooled" if undelivered else header.get("transport", "hook"),
        client=header.get("client", ""),
        client_version=header.get("version", ""),
        undelivered=undelivered,
        environment=header.get("env_names", ""),
        entrypoint=header.get("env.CLAUDE_CODE_ENTRYPOINT", ""),
        host_pid=int(pid) if pid.isdecimal() and len(pid) < 10 else 0,
    )
