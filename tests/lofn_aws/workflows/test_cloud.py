"""The part of `up` that is in AWS, and `down`, on moto: planned, applied, and found again."""

import io
import os
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from lofn_aws.errors import CapacityError, InfrastructureError, NotFoundError, UsageError
from lofn_aws.model.cluster import TAG_RUN_ID
from lofn_aws.model.plan import Item
from lofn_aws.plan.up import plan_cloud
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.down import apply_down, observe_down
from lofn_aws.workflows.locate import find_cluster, login_key
from lofn_aws.workflows.observe import observe_cloud
from lofn_aws.workflows.start import apply_cloud
from lofn_aws.workflows.wanted import wanted_cluster


def bring_up(ctx: Context) -> tuple[Item, ...]:
    spec = wanted_cluster(ctx)
    items = plan_cloud(spec, observe_cloud(ctx, spec))
    apply_cloud(ctx, spec, items)
    return items


def names(items: tuple[Item, ...]) -> list[str]:
    return [type(item).__name__ for item in items]


def test_up_makes_what_is_missing_and_then_finds_it(ctx: Context) -> None:
    assert names(bring_up(ctx)) == ["MakeBucket", *["Upload"] * 4, "ImportKey", "StartCluster",
                                    "WaitForCluster"]
    assert bring_up(ctx) == ()
    cluster = find_cluster(ctx)
    assert cluster.owner == "ada"
    assert len(cluster.run_id) == 12
    assert login_key(ctx, cluster).stat().st_mode & 0o777 == 0o600


def test_every_item_applied_twice_changes_nothing(ctx: Context) -> None:
    """A run that was killed after an item, but before it said so, is resumed by the next."""
    spec = wanted_cluster(ctx)
    items = plan_cloud(spec, observe_cloud(ctx, spec))
    before = items[: names(items).index("StartCluster")]
    apply_cloud(ctx, spec, before)
    apply_cloud(ctx, spec, before)
    assert names(plan_cloud(spec, observe_cloud(ctx, spec))) == ["StartCluster", "WaitForCluster"]


def test_a_lost_answer_to_run_job_flow_does_not_start_a_second_cluster(ctx: Context) -> None:
    """EMR has the cluster, the connection broke before its id came: it is looked up."""
    lost: list[str] = []

    def lose(http_response: Any, model: Any, **_: Any) -> None:
        if model.name == "RunJobFlow" and not lost:
            lost.append(model.name)
            raise ConnectionClosedError(endpoint_url="https://emr")

    ctx.aws.session.events.register("after-call.emr.RunJobFlow", lose)
    bring_up(ctx)
    assert lost
    assert len(ctx.emr.clusters(["WAITING", "STARTING", "RUNNING"])) == 1


def test_a_throttled_run_job_flow_is_asked_for_again(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    really = ctx.emr.run_job_flow

    def refuse_once(request: dict[str, Any]) -> str:
        asked.append(1)
        if len(asked) == 1:
            raise CapacityError("asking EMR for the cluster failed: Rate exceeded")
        return really(request)

    monkeypatch.setattr(ctx.emr, "run_job_flow", refuse_once)
    bring_up(ctx)
    assert len(asked) == 2
    assert find_cluster(ctx).is_ready


def test_a_refusal_is_not_asked_again(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refuse(request: dict[str, Any]) -> str:
        asked.append(1)
        raise UsageError("asking EMR for the cluster failed: EMR_DefaultRole is invalid")

    monkeypatch.setattr(ctx.emr, "run_job_flow", refuse)
    with pytest.raises(UsageError) as caught:
        bring_up(ctx)
    assert caught.value.next_command == "aws emr create-default-roles"
    assert len(asked) == 1


def test_capacity_errors_end_after_three_tries(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refuse(request: dict[str, Any]) -> str:
        asked.append(1)
        raise CapacityError("no")

    monkeypatch.setattr(ctx.emr, "run_job_flow", refuse)
    with pytest.raises(CapacityError):
        bring_up(ctx)
    assert len(asked) == 3


def test_two_clusters_of_one_name_are_an_error_that_names_them(ctx: Context) -> None:
    bring_up(ctx)
    first = find_cluster(ctx)
    spec = wanted_cluster(ctx)
    from lofn_aws.plan.job_flow import run_job_flow

    second = ctx.emr.run_job_flow(run_job_flow(spec))
    with pytest.raises(UsageError) as caught:
        find_cluster(ctx)
    assert first.id in caught.value.message
    assert second in caught.value.message


def test_others_clusters_are_not_taken_for_ours(ctx: Context) -> None:
    bring_up(ctx)
    other = replace(ctx, settings=ctx.settings.changed(owner="bob"))
    with pytest.raises(NotFoundError, match="no cluster lofn of bob"):
        find_cluster(other)


def test_a_dry_run_makes_no_key(ctx: Context) -> None:
    ctx.dry_run = True
    spec = wanted_cluster(ctx)
    assert "ImportKey" in names(plan_cloud(spec, observe_cloud(ctx, spec)))
    assert not ctx.home.exists()


def test_another_machines_key_is_said_to_be_missing(ctx: Context) -> None:
    bring_up(ctx)
    os.unlink(ctx.home / "key.pem")
    with pytest.raises(UsageError, match="set key_file"):
        login_key(ctx, find_cluster(ctx))


def test_half_a_named_key_is_an_error(ctx: Context) -> None:
    half = replace(ctx, settings=ctx.settings.changed(key_name="mine"))
    with pytest.raises(UsageError, match="key_name is set and key_file is not"):
        wanted_cluster(half)


def test_down_ends_the_cluster_and_keeps_the_bucket(ctx: Context) -> None:
    bring_up(ctx)
    run_id = find_cluster(ctx).tags[TAG_RUN_ID]
    ctx.s3.put_bytes(ctx.bucket, f"clusters/{run_id}/swarm.json", b"{}")
    ctx.s3.put_bytes(ctx.bucket, "registry/docker/x", b"an image")
    plan = observe_down(ctx, delete_bucket=False)
    key = find_cluster(ctx).key_name
    assert [w.split(" (")[0] for w in plan.words] == [
        "end the cluster lofn", f"delete the key pair {key} from the account"]
    apply_down(ctx, plan, wait=True)
    assert observe_down(ctx, delete_bucket=False).is_empty
    keys = [o.key for o in ctx.s3.list(ctx.bucket)]
    assert "registry/docker/x" in keys
    assert not [k for k in keys if k.startswith("clusters/")]


def test_down_removes_records_of_clusters_that_ended_by_themselves(ctx: Context) -> None:
    bring_up(ctx)
    ended = find_cluster(ctx)
    ctx.emr.terminate([ended.id])
    ctx.s3.put_bytes(ctx.bucket, f"clusters/{ended.run_id}/swarm.json", b"{}")
    plan = observe_down(ctx, delete_bucket=False)
    assert plan.words == [f"delete the key pair {ended.key_name} from the account",
                          f"remove the records of the run {ended.run_id}"]
    apply_down(ctx, plan, wait=True)
    assert observe_down(ctx, delete_bucket=False).is_empty


def test_records_that_this_region_knows_nothing_of_are_left_alone(ctx: Context) -> None:
    """The bucket may be shared with a region whose clusters are not seen from here."""
    bring_up(ctx)
    ctx.s3.put_bytes(ctx.bucket, "clusters/aaaaaaaaaaaa/hostkeys/10.0.0.4.pub", b"key")
    assert "that may live" in observe_down(ctx, delete_bucket=True).words[-1]
    plan = observe_down(ctx, delete_bucket=False)
    assert plan.stale_runs == ()
    assert "aaaaaaaaaaaa" not in " ".join(plan.words)
    apply_down(ctx, plan, wait=True)
    assert observe_down(ctx, delete_bucket=False).is_empty
    assert ctx.s3.exists(ctx.bucket, "clusters/aaaaaaaaaaaa/hostkeys/10.0.0.4.pub")


def test_down_deletes_the_key_pair_with_the_last_cluster_that_uses_it(ctx: Context) -> None:
    other = replace(ctx, settings=ctx.settings.changed(cluster_name="other"))
    bring_up(ctx)
    bring_up(other)
    key = find_cluster(ctx).key_name
    assert find_cluster(other).key_name == key
    apply_down(ctx, observe_down(ctx, delete_bucket=False), wait=True)
    assert ctx.ec2.has_key_pair(key)
    apply_down(other, observe_down(other, delete_bucket=False), wait=True)
    assert not ctx.ec2.has_key_pair(key)
    assert observe_down(ctx, delete_bucket=False).is_empty


def test_a_key_pair_that_someone_began_to_use_after_the_plan_stays(ctx: Context) -> None:
    bring_up(ctx)
    plan = observe_down(ctx, delete_bucket=False)
    bring_up(replace(ctx, settings=ctx.settings.changed(cluster_name="other")))
    apply_down(ctx, plan, wait=True)
    assert plan.keys and ctx.ec2.has_key_pair(plan.keys[0])


def test_a_key_pair_of_the_persons_own_stays(ctx: Context) -> None:
    file = ctx.home / "mine.pem"
    file.parent.mkdir(parents=True)
    file.touch()
    ctx.aws.ec2.create_key_pair(KeyName="mine")
    named = replace(ctx, settings=ctx.settings.changed(key_name="mine", key_file=str(file)))
    bring_up(named)
    apply_down(named, observe_down(named, delete_bucket=False), wait=True)
    assert ctx.ec2.has_key_pair("mine")


def test_down_with_the_bucket(ctx: Context) -> None:
    bring_up(ctx)
    apply_down(ctx, observe_down(ctx, delete_bucket=True), wait=True)
    assert not ctx.s3.bucket_exists(ctx.bucket)
    assert observe_down(ctx, delete_bucket=True).is_empty


def test_a_protected_cluster_is_left_alone(ctx: Context) -> None:
    guarded = replace(ctx, settings=ctx.settings.changed(termination_protected=True))
    bring_up(guarded)
    with pytest.raises(UsageError, match="protected against termination"):
        observe_down(guarded, delete_bucket=False)


def test_nothing_to_take_down_in_an_empty_account(ctx: Context) -> None:
    assert observe_down(ctx, delete_bucket=True).is_empty


def test_wrong_credentials_are_said_to_be(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: Any, **_: Any) -> AWSResponse:
        body = (b"<ErrorResponse><Error><Code>InvalidClientTokenId</Code>"
                b"<Message>The token is invalid.</Message></Error></ErrorResponse>")
        raw = io.BytesIO(body)
        raw.stream = lambda *_, **__: iter([body])  # type: ignore[attr-defined]
        return AWSResponse(request.url, 403, {}, raw)

    ctx.aws.session.events.register_first("before-send.sts", refuse)
    with pytest.raises(Exception, match="asking AWS who you are failed") as caught:
        wanted_cluster(ctx)
    assert getattr(caught.value, "exit_code", None) == 4
    assert not isinstance(caught.value, InfrastructureError)
