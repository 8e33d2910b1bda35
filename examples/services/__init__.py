"""Two services that call each other, and a stand-in for a third party's."""
