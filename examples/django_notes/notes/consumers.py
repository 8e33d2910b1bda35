"""The WebSocket, by Channels."""

from channels.generic.websocket import AsyncWebsocketConsumer

from notes.models import Note


class NoteConsumer(AsyncWebsocketConsumer):
    """Add each text that is sent; answer with how many notes there are."""

    async def receive(self, text_data: str = "", bytes_data: bytes = b"") -> None:
        """Take a text."""
        await Note.objects.acreate(text=text_data)
        await self.send(text_data=str(await Note.objects.acount()))
