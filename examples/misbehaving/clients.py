"""Clients of the weather service that try again: with httpx, and with aiohttp."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress

import aiohttp
import httpx


class Unavailable(Exception):
    """Raised when no attempt had an answer; the cause is what became of the last one."""


def fetch(base_url: str, *, attempts: int, timeout: float) -> str:
    """Return the report, with httpx.

    Args:
        base_url: Where the service is.
        attempts: How often to ask.
        timeout: Seconds to wait to connect, and for each next byte.
    """
    with httpx.Client(base_url=base_url, timeout=timeout, trust_env=False) as client:
        for attempt in range(1, attempts + 1):
            try:
                response = client.get("/report")
                response.raise_for_status()
                return response.text
            except httpx.TransportError as error:  # no answer in time, or half of one
                problem: httpx.HTTPError = error
            except httpx.HTTPStatusError as error:
                if error.response.status_code != 503:
                    raise
                problem = error
                if attempt < attempts:
                    time.sleep(float(error.response.headers.get("Retry-After", 1)))
    raise Unavailable(f"no report after {attempts} attempts") from problem


async def fetch_async(session: aiohttp.ClientSession, *, attempts: int, timeout: float) -> str:
    """Return the report, with aiohttp; `timeout` is that of one attempt."""
    limit = aiohttp.ClientTimeout(timeout)
    for attempt in range(1, attempts + 1):
        try:
            async with session.get("/report", timeout=limit, raise_for_status=True) as response:
                return await response.text()
        except aiohttp.ClientResponseError as error:
            if error.status != 503:
                raise
            problem: Exception = error
            if attempt < attempts:
                pause = error.headers.get("Retry-After", "1") if error.headers else "1"
                await asyncio.sleep(float(pause))
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = error
    raise Unavailable(f"no report after {attempts} attempts") from problem


async def follow(session: aiohttp.ClientSession) -> AsyncGenerator[int, None]:
    """Yield the numbers of the feed; when it ends, go on after the last one."""
    last = 0
    while True:
        with suppress(aiohttp.ClientError):
            async with session.ws_connect(f"/feed?after={last}") as feed:
                async for message in feed:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        last = int(message.data)
                        yield last
        await asyncio.sleep(0.05)  # do not try too often
