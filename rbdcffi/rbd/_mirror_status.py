"""What C tells of the mirroring of an image, as the dicts of the standard binding."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from rbdcffi._buffers import string

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def info_of(info: Any) -> dict[str, Any]:
    """Whether and as what an image is mirrored, of a rbd_mirror_image_info_t."""
    return {
        "global_id": string(info.global_id),
        "state": int(info.state),
        "primary": bool(info.primary),
    }


def _site(status: Any) -> dict[str, Any]:
    return {
        "state": int(status.state),
        "description": string(status.description),
        "last_update": _EPOCH + timedelta(seconds=status.last_update),
        "up": bool(status.up),
    }


#: What librbd says if no site has told anything. If others have, but not this one, it says nothing
#: of it, and the keys are not there in the standard binding.
_UNKNOWN = {"state": 0, "description": "status not found", "last_update": _EPOCH, "up": False}


def status_of(status: Any, image_id: str, with_primary: bool) -> dict[str, Any]:
    """The status of an image at all sites, of a rbd_mirror_image_global_status_t or, on Ceph 14,
    at this site, of a rbd_mirror_image_status_t. Lists do not know which image is primary."""
    local, remote = dict(_UNKNOWN), []
    if hasattr(status, "site_statuses"):
        for i in range(status.site_statuses_count):
            site = status.site_statuses[i]
            mirror_uuid = string(site.mirror_uuid)
            if mirror_uuid:
                remote.append({**_site(site), "mirror_uuid": mirror_uuid})
            else:
                # RBD_MIRROR_IMAGE_STATUS_LOCAL_MIRROR_UUID
                local = _site(site)
    else:
        local = _site(status)
    info = info_of(status.info)
    if not with_primary:
        del info["primary"]
    return {
        "name": string(status.name),
        "id": image_id,
        "info": info,
        "remote_statuses": remote,
        **local,
    }
