"""What `down` does: what was seen, in; what `up` made and nobody uses any more, out."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from lofn_aws.model.cluster import Cluster
from lofn_aws.model.network import IngressRule

RULE_PREFIX = "lofn-aws "
# The names that key_file.key_name gives.
OWN_KEY = re.compile(r"lofn-aws-[0-9a-f]{12}")


@dataclass(frozen=True)
class DownSeen:
    """What there is of the set cluster, and of what others use too.

    ``ending`` are the clusters of its name that live, ``ended`` those that EMR still lists,
    ``others`` all other living clusters of the region. ``runs`` have records in the bucket,
    ``rules`` are by security group, ``keys`` the key pairs of these clusters that the account has.
    """

    ending: tuple[Cluster, ...] = ()
    ended: tuple[Cluster, ...] = ()
    others: tuple[Cluster, ...] = ()
    runs: frozenset[str] = frozenset()
    rules: Mapping[str, tuple[IngressRule, ...]] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DownPlan:
    """What there is to take down.

    ``stale_runs`` are run ids whose cluster has ended, ``rules`` pairs of a security group and a
    rule of ours in it, ``keys`` names of key pairs, ``bucket`` set when it is to go too, and with
    it the records of ``foreign_runs``, whose clusters EMR of this region does not list as ended.
    """

    clusters: tuple[Cluster, ...] = ()
    stale_runs: tuple[str, ...] = ()
    rules: tuple[tuple[str, IngressRule], ...] = ()
    keys: tuple[str, ...] = ()
    bucket: str | None = None
    foreign_runs: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do."""
        return not self.words

    @property
    def words(self) -> list[str]:
        """What will be done, one line each."""
        lines = [f"end the cluster {c.name} ({c.id}, {c.state})" for c in self.clusters]
        lines += [f"close port 22 of {group} to {rule.cidr}" for group, rule in self.rules]
        lines += [f"delete the key pair {name} from the account" for name in self.keys]
        lines += [f"remove the records of the run {run_id}" for run_id in self.stale_runs]
        if self.bucket:
            lines.append(f"delete the bucket {self.bucket} with all its images and logs")
        if self.bucket and self.foreign_runs:
            lines.append("delete with it the records of clusters that may live, here or in another "
                         f"region, and that need them: the runs {', '.join(self.foreign_runs)}")
        return lines


def plan_down(seen: DownSeen, bucket: str | None) -> DownPlan:
    """Plan the end of the set cluster; ``bucket`` is given when it is to be deleted.

    Records of a run are removed only where EMR of this region lists its cluster as ended: a
    bucket may be shared with another region, whose living clusters are not seen from here.
    """
    stale = seen.runs & {c.run_id for c in seen.ended}
    foreign = seen.runs - stale - {c.run_id for c in seen.ending}
    used_groups, used_keys = groups_in_use(seen.others), keys_in_use(seen.others)
    rules = [
        (group, rule)
        for group, found in seen.rules.items() if group not in used_groups
        for rule in found if rule.description.startswith(RULE_PREFIX)
    ]
    return DownPlan(seen.ending, tuple(sorted(stale)), tuple(rules),
                    tuple(sorted(seen.keys - used_keys)), bucket, tuple(sorted(foreign)))


def groups_in_use(others: Iterable[Cluster]) -> set[str]:
    """Return the security groups in which living clusters of ours need their rules."""
    return {c.primary_security_group for c in others if c.is_ours}


def keys_in_use(others: Iterable[Cluster]) -> set[str]:
    """Return the key pairs that living clusters, of whoever, start their nodes with."""
    return {c.key_name for c in others}


def own_keys(clusters: Iterable[Cluster], named: Collection[str]) -> set[str]:
    """Return the names of key pairs that `up` imported for these clusters.

    ``named`` are those that the person set, which are never `up`'s.
    """
    return {c.key_name for c in clusters if OWN_KEY.fullmatch(c.key_name)} - set(named)
