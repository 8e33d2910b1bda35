"""Background tasks, which go on after the response: wait_idle() waits until they are done.
Run it: python -m unittest examples.test_background_tasks"""

import threading

from fastapi import BackgroundTasks, FastAPI

from liveserver import BusyTimeout, IsolatedAsyncioLiveServerTestCase, LiveServerTestCase

mail_app = FastAPI()
mail_server_is_up = threading.Event()
sent: list[str] = []


@mail_app.post("/orders/{number}", status_code=202)
async def order(number: int, tasks: BackgroundTasks) -> None:
    tasks.add_task(send_receipt, number)


def send_receipt(number: int) -> None:
    mail_server_is_up.wait(timeout=10)
    sent.append(f"receipt {number}")


class ReceiptTests(LiveServerTestCase):
    app = mail_app

    def setUp(self) -> None:
        super().setUp()
        sent.clear()
        mail_server_is_up.clear()
        self.addCleanup(mail_server_is_up.set)

    def test_a_receipt_is_sent_after_the_response(self) -> None:
        self.assertEqual(self.http.post("/orders/1").status_code, 202)
        self.assertEqual(sent, [])
        mail_server_is_up.set()
        self.server.wait_idle(timeout=5)
        self.assertEqual(sent, ["receipt 1"])

    def test_a_mail_server_that_is_down(self) -> None:
        self.http.post("/orders/1")
        with self.assertRaisesRegex(BusyTimeout, "POST /orders/1"):
            self.server.wait_idle(timeout=0.1)


class AsyncReceiptTests(IsolatedAsyncioLiveServerTestCase):
    app = mail_app

    async def test_many_receipts(self) -> None:
        sent.clear()
        mail_server_is_up.set()
        for number in range(10):
            async with self.http.post(f"/orders/{number}"):
                pass
        await self.server.await_idle(timeout=5)
        self.assertEqual(len(sent), 10)
