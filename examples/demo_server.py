"""The shop, served until Ctrl-C for you with curl or a browser.
Run it: python -m examples.demo_server"""

import time
from contextlib import suppress

from liveserver import LiveServer

TEA = '{"name": "Tea", "price": 350}'

if __name__ == "__main__":
    with suppress(KeyboardInterrupt), LiveServer("examples.shop.main:app") as server:
        items = f"{server.base_url}/items"
        print(f"The shop is open until Ctrl-C, at {server.base_url}")
        print(f"  curl {items} -H 'Content-Type: application/json' -d '{TEA}'")
        print(f"  curl {items}", flush=True)
        while True:
            time.sleep(1)
