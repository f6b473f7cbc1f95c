"""boto3 clients, made once from the settings, with time limits and retries."""

import ipaddress
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.config import Settings

CONNECT_SECONDS = 10
READ_SECONDS = 60

# Keys that were given are used as they are: AWS_PROFILE of the environment, which may name a
# profile that is not there, has no say.
_NO_PROFILE = {"profile": (None, None, None, None)}


def is_near(endpoint_url: str | None) -> bool:
    """Say whether an endpoint has a private or loopback address: no proxy leads there."""
    try:
        return ipaddress.ip_address(urlsplit(endpoint_url or "").hostname or "").is_private
    except ValueError:
        return False


def read_chain(profile: str | None) -> dict[str, str]:
    """Return what AWS's own chain (environment, ~/.aws/config) says: at most ``region``."""
    with translate("reading the AWS configuration"):
        region = botocore.session.Session(profile=profile).get_config_variable("region")
    return {"region": str(region)} if region else {}


class Aws:
    """The clients the adapters use.

    ``emr`` retries with backoff. ``emr_once`` never does: RunJobFlow and AddJobFlowSteps have
    no client token, so a retry after a lost answer would do the thing twice.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def session(self) -> "boto3.Session":
        """The boto3 session; ``session.events`` is where tests listen."""
        s = self.settings
        with translate("reading the AWS credentials"):
            if s.access_key is None:
                return boto3.Session(profile_name=s.profile, region_name=s.region)
            return boto3.Session(
                botocore_session=botocore.session.Session(session_vars=_NO_PROFILE),
                region_name=s.region,
                aws_access_key_id=s.access_key,
                aws_secret_access_key=s.secret_key,
            )

    def _client(self, service: str, attempts: int = 5) -> Any:
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_appid="lofn-aws",
            proxies={} if is_near(self.settings.endpoint_url) else None,
        )
        with translate(f"preparing to call {service}"):
            return self.session.client(
                service, endpoint_url=self.settings.endpoint_url, config=config
            )

    @cached_property
    def emr(self) -> Any:
        """EMR, with retries."""
        return self._client("emr")

    @cached_property
    def emr_once(self) -> Any:
        """EMR, each request sent once."""
        return self._client("emr", attempts=1)

    @cached_property
    def ec2(self) -> Any:
        """EC2."""
        return self._client("ec2")

    @cached_property
    def s3(self) -> Any:
        """S3."""
        return self._client("s3")

    @cached_property
    def sts(self) -> Any:
        """STS."""
        return self._client("sts")

    @cached_property
    def iam(self) -> Any:
        """IAM."""
        return self._client("iam")
