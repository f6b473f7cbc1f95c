"""The AWS configuration of a user of this node: endpoint, region and keys in ~/.aws."""

import os
import pwd

from emr_node.system import make_folder, write


def write_aws_files(user: str, endpoint: str, region: str, key: str, secret: str) -> None:
    """Write ~/.aws/config and ~/.aws/credentials of ``user``, so that scripts name no endpoint."""
    home, group = pwd.getpwnam(user).pw_dir, pwd.getpwnam(user).pw_gid
    folder = os.path.join(home, ".aws")
    make_folder(folder, mode=0o700)
    config = f"[default]\nregion = {region}\nendpoint_url = {endpoint}\n"
    config += "s3 =\n    addressing_style = path\n"
    credentials = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    write(os.path.join(folder, "config"), config, mode=0o600)
    write(os.path.join(folder, "credentials"), credentials, mode=0o600)
    for path in (folder, f"{folder}/config", f"{folder}/credentials"):
        os.chown(path, pwd.getpwnam(user).pw_uid, group)
