"""Disks: written past their file system, formatted, partitioned."""

import re

from pointsman.hooks.packs.calls import calls
from pointsman.hooks.packs.places import shown
from pointsman.hooks.rule import Call, Deed, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.effects import UNKNOWN, Effect, Invocation, Kind
from pointsman.shell.programs import plain_words

_DEVICE = re.compile(
    r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|disk|rdisk|mapper/|loop|md|dm-|k?mem\b|port\b)"
    r"|/proc/(sysrq-trigger|sys/)|/sys/"
)
_PROGRAMS = {
    "mkfs": "makes a file system", "mkswap": "makes swap space", "wipefs": "wipes signatures",
    "fdisk": "changes partitions", "sfdisk": "changes partitions", "cfdisk": "changes partitions",
    "gdisk": "changes partitions", "sgdisk": "changes partitions", "parted": "changes partitions",
    "blkdiscard": "discards a disk", "lvremove": "removes a volume", "vgremove": "removes a group",
    "pvremove": "removes a physical volume", "cryptsetup": "changes encrypted disks",
    "hdparm": "sets a disk up", "badblocks": "tests a disk", "zpool": "changes a pool",
    "mdadm": "changes an array", "diskutil": "changes disks", "lvreduce": "shrinks a volume",
    "lvresize": "resizes a volume", "resize2fs": "resizes a file system", "fsck": "repairs a disk",
    "newfs": "makes a file system", "nvme": "changes a disk", "mke2fs": "makes a file system",
    "debugfs": "changes a file system past it", "tune2fs": "changes a file system",
}  # fmt: skip
_KINDS = ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "fat", "ntfs", "f2fs", "exfat", "minix")
_HARMLESS = re.compile(
    r"^(-l|--list|list|print|status|info|-V|--version|--help|-h|isLuks|luksDump|--detail|get"
    r"|id-ctrl|smart-log|-n|iostat|history|activity|listFilesystems)$"
)
_ON_FILES = frozenset({"mkfs", "mkswap", "wipefs", "mke2fs", "newfs", "resize2fs", "tune2fs"})
"""Programs that as well make an image in an ordinary file."""


def _write_device(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del each, scene
    if _DEVICE.match(effect.path):
        return f"{effect.construct} writes onto the disk {shown(effect.path)}"
    return None


def _is_device(word: str) -> bool:
    return word.startswith(("/dev/", UNKNOWN)) or _DEVICE.match(word) is not None


def _disk(each: Invocation, scene: Scene) -> str | None:
    del scene
    program = each.program.partition(".")[0]
    what = _PROGRAMS.get(program)
    if program in _ON_FILES and not any(_is_device(word) for word in plain_words(each)):
        return None
    if what is None or any(_HARMLESS.match(word) for word in each.argv[1:]):
        return None
    return f"{each.program} {what}" if len(each.argv) > 1 else None


_NAMES = frozenset({*_PROGRAMS, *(f"{kind}.{of}" for kind in ("mkfs", "fsck") for of in _KINDS)})

PACK = Pack("disks", "Disks and volumes.", (
    Rule("disk-write", Action.DENY, "It goes past the file system that lies there.",
         Deed(frozenset({Kind.WRITE, Kind.DELETE, Kind.DELETE_TREE}), _write_device),
         "dd if=image of=/dev/sda", "dd if=image of=copy.img"),
    Rule("disk-format", Action.DENY, "Formats, partitions or wipes a disk.",
         Call(_NAMES, _disk), "mkfs.ext4 /dev/sda1", "mkfs.ext4 disk.img"),
    Rule("disk-detach", Action.ASK, "Takes a file system away that others use, or hides one.",
         calls("changes what is mounted", "umount *", "mount --bind|--rbind|--move|-o",
               "mount -B|-R", "mount * * -t|--types",
               "swapoff *", "swapoff -a|--all",
               "losetup -d|-D", "eject *", "hdiutil detach|eraseKeys"),
         "umount -l /mnt/backup", "mount"),
))  # fmt: skip
"""Rules about disks."""
