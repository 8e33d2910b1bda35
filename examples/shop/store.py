"""The items in the database."""

import sqlite3

from .models import Item, NewItem

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    price INTEGER NOT NULL
)
"""


class Store:
    """Reads and writes items over one connection.

    Args:
        connection: An open connection; whoever opened it closes it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        with connection:
            connection.execute(SCHEMA)

    def items(self) -> list[Item]:
        """Return all items, oldest first."""
        rows = self._connection.execute("SELECT id, name, price FROM items ORDER BY id")
        return [_item(row) for row in rows]

    def get(self, item_id: int) -> Item | None:
        """Return the item with this id, or None."""
        row = self._connection.execute(
            "SELECT id, name, price FROM items WHERE id = ?", (item_id,)
        ).fetchone()
        return None if row is None else _item(row)

    def add(self, new: NewItem) -> Item:
        """Keep a new item and return it with its id."""
        with self._connection:
            cursor = self._connection.execute(
                "INSERT INTO items (name, price) VALUES (?, ?)", (new.name, new.price)
            )
        assert cursor.lastrowid is not None
        return Item(id=cursor.lastrowid, name=new.name, price=new.price)

    def replace(self, item_id: int, new: NewItem) -> Item | None:
        """Replace the item with this id and return the new one, or None if there is none."""
        with self._connection:
            cursor = self._connection.execute(
                "UPDATE items SET name = ?, price = ? WHERE id = ?", (new.name, new.price, item_id)
            )
        return Item(id=item_id, name=new.name, price=new.price) if cursor.rowcount else None

    def delete(self, item_id: int) -> Item | None:
        """Remove the item with this id and return it as it was, or None if there is none."""
        item = self.get(item_id)
        with self._connection:
            self._connection.execute("DELETE FROM items WHERE id = ?", (item_id,))
        return item


def _item(row: tuple[int, str, int]) -> Item:
    item_id, name, price = row
    return Item(id=item_id, name=name, price=price)
