"""What the account and the service offer: releases, instance types, Block Public Access."""

from __future__ import annotations

from typing import Any

from lofn_aws.sandbox.operations.context import Context
from lofn_aws.sandbox.operations.paging import page
from lofn_aws.sandbox.releases import RELEASES
from lofn_aws.sandbox.state import now
from lofn_aws.sandbox.validation import check_release

# Families that AWS lists as supported in every region; sizes of their current generation.
FAMILIES = ("m5", "m6g", "m6i", "c5", "c6i", "r5", "r6i")
SIZES = ("xlarge", "2xlarge", "4xlarge")
SSH_PORT = {"MinRange": 22, "MaxRange": 22}


class ReleaseOperations:
    """Releases, instance types and the account's Block Public Access configuration."""

    def __init__(self, context: Context) -> None:
        self._context = context
        # A new account's default: public rules are blocked, but for SSH.
        self._block: dict[str, Any] = {
            "BlockPublicSecurityGroupRules": True,
            "PermittedPublicSecurityGroupRuleRanges": [SSH_PORT],
        }
        self._block_set = now()

    def ListReleaseLabels(
        self,
        Filters: dict[str, str] | None = None,
        NextToken: str | None = None,
        MaxResults: int = 100,
    ) -> dict[str, Any]:
        """List the releases that the sandbox has the software of, newest first."""
        filters = Filters or {}
        wanted = filters.get("Application", "").lower().replace(" ", "-")
        found = [
            label
            for label, release in sorted(RELEASES.items(), reverse=True)
            if label.startswith(filters.get("Prefix", ""))
            and any(f"{n}-{v}".lower().startswith(wanted) for n, v in release.applications.items())
        ]
        chosen, token = page(found, NextToken, MaxResults)
        return {"ReleaseLabels": chosen, "NextToken": token}

    def DescribeReleaseLabel(
        self,
        ReleaseLabel: str | None = None,
        NextToken: str | None = None,
        MaxResults: int = 100,
    ) -> dict[str, Any]:
        """Give a release's applications with their versions."""
        check_release(ReleaseLabel)
        release = RELEASES[str(ReleaseLabel)]
        pairs = sorted(release.applications.items())
        chosen, token = page(pairs, NextToken, MaxResults)
        return {
            "ReleaseLabel": release.label,
            "Applications": [{"Name": name, "Version": version} for name, version in chosen],
            "AvailableOSReleases": [{"Label": release.os_release}],
            "NextToken": token,
        }

    def ListSupportedInstanceTypes(
        self, ReleaseLabel: str, Marker: str | None = None
    ) -> dict[str, Any]:
        """List common instance types with EC2's figures; nodes are containers whatever they are."""
        check_release(ReleaseLabel)
        names = [f"{family}.{size}" for family in FAMILIES for size in SIZES]
        described = self._context.account.instance_types(names) or []
        types = sorted((_supported(t) for t in described), key=lambda t: str(t["Type"]))
        chosen, marker = page(types, Marker)
        return {"SupportedInstanceTypes": chosen, "Marker": marker}

    def GetBlockPublicAccessConfiguration(self) -> dict[str, Any]:
        """Give the account's setting."""
        arn = "arn:aws:iam::123456789012:root"
        return {
            "BlockPublicAccessConfiguration": self._block,
            "BlockPublicAccessConfigurationMetadata": {
                "CreationDateTime": self._block_set,
                "CreatedByArn": arn,
            },
        }

    def PutBlockPublicAccessConfiguration(
        self, BlockPublicAccessConfiguration: dict[str, Any]
    ) -> dict[str, Any]:
        """Record the account's setting; the sandbox does not look at security groups' rules."""
        self._block = BlockPublicAccessConfiguration
        self._block_set = now()
        return {}


def _supported(described: dict[str, Any]) -> dict[str, Any]:
    architectures = described["ProcessorInfo"]["SupportedArchitectures"]
    storage = described.get("InstanceStorageInfo", {})
    return {
        "Type": described["InstanceType"],
        "MemoryGB": described["MemoryInfo"]["SizeInMiB"] / 1024,
        "VCPU": described["VCpuInfo"]["DefaultVCpus"],
        "StorageGB": storage.get("TotalSizeInGB", 0),
        "Is64BitsOnly": "i386" not in architectures,
        "InstanceFamilyId": described["InstanceType"].partition(".")[0],
        "Architecture": architectures[-1].upper(),
        "EbsOptimizedAvailable": True,
        "EbsOptimizedByDefault": True,
        "EbsStorageOnly": not storage,
    }
