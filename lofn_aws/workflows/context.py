"""What every workflow is handed: settings, adapters made on first use, clock, reporter."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lofn_aws.adapters.clock import Clock
from lofn_aws.config import Settings, user_dir
from lofn_aws.report.progress import Reporter

if TYPE_CHECKING:
    from lofn_aws.adapters.ec2 import Ec2Adapter
    from lofn_aws.adapters.emr import EmrAdapter
    from lofn_aws.adapters.iam import IamAdapter
    from lofn_aws.adapters.s3 import S3Adapter
    from lofn_aws.adapters.session import Aws


@dataclass
class Context:
    """One command's surroundings.

    ``timeout`` is the deadline in seconds of the command's longest wait, None for the
    workflow's own default; ``home`` is the user's folder of this toolkit. Adapters are imported
    and made on first use, so that a command that needs no AWS never loads boto3.
    """

    settings: Settings
    reporter: Reporter
    clock: Clock = field(default_factory=Clock)
    dry_run: bool = False
    yes: bool = False
    timeout: float | None = None
    home: Path = field(default_factory=lambda: user_dir(os.environ))

    @cached_property
    def aws(self) -> "Aws":
        """The boto3 clients."""
        from lofn_aws.adapters.session import Aws

        return Aws(self.settings)

    @cached_property
    def emr(self) -> "EmrAdapter":
        """EMR."""
        from lofn_aws.adapters.emr import EmrAdapter

        return EmrAdapter(self.aws)

    @cached_property
    def ec2(self) -> "Ec2Adapter":
        """EC2."""
        from lofn_aws.adapters.ec2 import Ec2Adapter

        return Ec2Adapter(self.aws)

    @cached_property
    def iam(self) -> "IamAdapter":
        """STS and IAM."""
        from lofn_aws.adapters.iam import IamAdapter

        return IamAdapter(self.aws)

    @cached_property
    def s3(self) -> "S3Adapter":
        """S3."""
        from lofn_aws.adapters.s3 import S3Adapter

        return S3Adapter(self.aws.s3)

    @cached_property
    def bucket(self) -> str:
        """The toolkit's bucket: as set, or ``lofn-aws-<account>-<region>``."""
        if self.settings.bucket:
            return self.settings.bucket
        return f"lofn-aws-{self.iam.account}-{self.region}"

    @cached_property
    def region(self) -> str:
        """The region that the clients use."""
        return str(self.aws.emr.meta.region_name)

    def deadline(self, default: float) -> float:
        """Return the wait's deadline in seconds: --timeout, else ``default``."""
        return self.timeout if self.timeout is not None else default
