"""Which delays of a network to keep: the strongest, or those that a delay memory has room for. No IR here."""
