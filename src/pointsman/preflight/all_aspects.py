"""Everything that two environments are compared by, and what is looked for in the second."""

from pointsman.preflight import (
    check_cloud_address,
    check_cloud_credentials,
    check_cloud_port,
    check_cloud_python,
    check_cloud_writes,
    check_compare_identity,
    check_compare_network,
    check_compare_resources,
    check_compare_secrets,
    check_compare_variables,
    check_compare_versions,
)
from pointsman.preflight.environments_compare import Aspect
from pointsman.preflight.environments_program import Faults

ASPECTS: tuple[Aspect, ...] = (
    check_compare_variables.ASPECT,
    check_compare_secrets.ASPECT,
    check_compare_network.ASPECT,
    check_compare_identity.ASPECT,
    check_compare_resources.ASPECT,
    check_compare_versions.ASPECT,
)
"""A new aspect is one file and one line here."""

FAULTS: tuple[Faults, ...] = (
    check_cloud_address.faults,
    check_cloud_credentials.faults,
    check_cloud_port.faults,
    check_cloud_python.faults,
    check_cloud_writes.faults,
)
