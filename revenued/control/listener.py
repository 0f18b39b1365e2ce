"""The socket's place in the file system: nobody else's is taken, and nobody uninvited can connect at any moment."""

import errno
import fcntl
import grp
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from revenued.errors import StartError

SOCKET_MODE = 0o660
DIRECTORY_MODE = 0o750
PROBE_SECONDS = 1.0
LOCK_SECONDS = 2.0
"""Longer than another daemon needs for its start, or systemd-tmpfiles for its look at the directory."""


def open_listener(path: Path, *, group: str | None, backlog: int) -> socket.socket:
    """Return a listening socket at `path`, usable by its owner and its group; raises StartError.

    A socket that nobody listens on any more is replaced. The parent directory is created when it is missing.
    """
    gid = None if group is None else _group_id(group)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _create_directory(path.parent, gid)
        with _start_lock(path.parent):
            _remove_stale(path)
            _bind(listener, path, gid)
            listener.listen(backlog)
    except StartError:
        listener.close()
        raise
    except OSError as error:  # Not a directory, no permission, read-only file system, path too long.
        listener.close()
        raise StartError(f"control socket {path}: {error.strerror or error}") from error
    return listener


def _group_id(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise StartError(f"control.group: there is no group {group!r} on this machine") from None


def _create_directory(directory: Path, gid: int | None) -> None:
    if directory.is_dir():
        return
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(DIRECTORY_MODE)
    if gid is not None:
        _give_to_group(directory, gid)


@contextmanager
def _start_lock(directory: Path) -> Iterator[None]:
    """Keep two daemons that start together from each taking the other's new socket for a stale one."""
    held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _is_locked_by_us(held):
            if time.monotonic() > deadline:
                raise StartError(f"control socket: another program holds the lock on {directory}")
            time.sleep(0.05)
        yield
    finally:
        os.close(held)


def _is_locked_by_us(directory: int) -> bool:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_stale(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise StartError(f"control socket {path}: something that is not a socket is in its place; move it away")
    if _is_served(path):
        raise StartError(f"control socket {path}: another daemon is running and listens on it")
    path.unlink()


def _is_served(path: Path) -> bool:
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(PROBE_SECONDS)
    try:
        probe.connect(str(path))
    except ConnectionRefusedError:
        return False
    except (TimeoutError, BlockingIOError):
        return True  # A full backlog: somebody listens who does not get round to answering.
    finally:
        probe.close()
    return True


def _bind(listener: socket.socket, path: Path, gid: int | None) -> None:
    """Put the socket in its place. Before `listen` every connect is refused, so mode and group are right in time."""
    os.fchmod(listener.fileno(), SOCKET_MODE)  # Linux gives the file this mode, less the umask.
    try:
        listener.bind(str(path))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"control socket {path}: something took its place just now") from error
        raise
    try:
        path.chmod(SOCKET_MODE)
        if gid is not None:
            _give_to_group(path, gid)
    except (OSError, StartError):
        path.unlink()
        raise


def _give_to_group(path: Path, gid: int) -> None:
    try:
        os.chown(path, -1, gid)
    except PermissionError as error:
        name = grp.getgrgid(gid).gr_name
        raise StartError(
            f"control.group: {path} cannot be given to group {name!r}; the daemon's user must be a member of it"
        ) from error
