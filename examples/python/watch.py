#!/usr/bin/env python3
"""Tells what happens in a store while it happens, in an asyncio program.

    SESSIONS_LIBRARY=/usr/local/lib/libsessions.so python3 watch.py my-store

The event loop polls the watch's socket beside everything else that it does; no thread, no timer
and no waiting in a call of the library. Ends with the input (Ctrl-D).
"""
import asyncio
import ctypes
import json
import os
import sys

# ctypes loads with RTLD_LOCAL on its own, and lets go of the interpreter's lock during calls.
lib = ctypes.CDLL(os.environ.get("SESSIONS_LIBRARY", "libsessions.so.0"))


class Error(ctypes.Structure):
    """session_error_t."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("status", ctypes.c_int32),
        ("os_error", ctypes.c_int32),
        ("reserved", ctypes.c_uint32),
        ("message", ctypes.c_char_p),
        ("details_json", ctypes.c_char_p),
        ("offset", ctypes.c_int64),
    ]


handle, out = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
lib.session_last_error.restype = ctypes.POINTER(Error)
lib.session_string_free.argtypes = [ctypes.c_void_p]
lib.session_string_free.restype = None
lib.session_store_open.argtypes = [ctypes.c_char_p, ctypes.c_void_p, out]
lib.session_store_close.argtypes = [handle]
lib.session_watch_open.argtypes = [handle, ctypes.c_void_p, out]
lib.session_watch_next.argtypes = [
    handle, ctypes.c_uint32, ctypes.c_uint32, out, ctypes.POINTER(ctypes.c_size_t)]
lib.session_watch_get_fd.argtypes = [handle, ctypes.c_uint32, ctypes.POINTER(ctypes.c_ssize_t)]
lib.session_watch_destroy.argtypes = [handle]


def check(status):
    """Raises what went wrong, on the thread of the call."""
    if status != 0:
        raise RuntimeError(lib.session_last_error().contents.message.decode())


class Watch:
    """The changes of a store, as an asynchronous iterator. Made inside of a running loop."""

    def __init__(self, store):
        self._watch = handle()
        check(lib.session_watch_open(store, None, ctypes.byref(self._watch)))
        fd = ctypes.c_ssize_t()
        check(lib.session_watch_get_fd(self._watch, 0, ctypes.byref(fd)))
        self._fd = fd.value  # the watch's own, which goes with it
        self._changes = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._take_page)

    def _take_page(self):
        # One page a turn of the loop. While there are more the socket stays readable, and the loop
        # comes back when it has done what else there was to do.
        text, length = ctypes.c_void_p(), ctypes.c_size_t()
        check(lib.session_watch_next(self._watch, 0, 0, ctypes.byref(text), ctypes.byref(length)))
        page = json.loads(ctypes.string_at(text, length.value))
        lib.session_string_free(text)
        for change in page["changes"]:
            self._changes.put_nowait(change)

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await self._changes.get()

    def close(self):
        """First out of the loop, then out of the library."""
        self._loop.remove_reader(self._fd)
        lib.session_watch_destroy(self._watch)


async def tell(watch):
    """Prints each change. After a gap a program that mirrors the store would list it anew."""
    async for change in watch:
        print(change["kind"], change["session_id"], json.dumps(change["detail"]), flush=True)


async def main(path):
    """Tells until the input ends."""
    store = handle()
    check(lib.session_store_open(os.fsencode(path), None, ctypes.byref(store)))
    watch = Watch(store)
    telling = asyncio.create_task(tell(watch))
    print("watching", path, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    telling.cancel()
    watch.close()
    check(lib.session_store_close(store))


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "watch-store"))
