"""Banks and multiports in a page: a matrix times a vector, a row for each member of a bank.

What a bank of reactors sends meets the channels of a multiport in order. `broadcast` repeats one
value for all; `interleaved` turns the order of a bank's multiports round, which is a transposition.
"""

import reactorrl as rr

MATRIX = [[1, 2, 3], [4, 5, 6]]


class Source(rr.Reactor):
    """Sends the vector once."""

    vector = rr.Output()

    @rr.reaction(rr.startup, effects=vector)
    def send(self):
        self.vector.set([1, 10, 100])


class Row(rr.Reactor):
    """One row of the matrix: its entries, and its product with the vector."""

    vector, entries, product = rr.Input(), rr.Output(width=3), rr.Output()

    @rr.reaction(vector, effects=[entries, product])
    def multiply(self):
        row = MATRIX[self.bank_index]
        for channel, entry in zip(self.entries, row, strict=True):
            channel.set(entry)
        self.product.set(sum(a * b for a, b in zip(row, self.vector.value, strict=True)))


class Show(rr.Reactor):
    """Prints what came on all channels."""

    values = rr.Input(width="n")

    def __init__(self, n):
        self.n = n

    @rr.reaction(values)
    def show(self):
        print(f"{self.path}: {[channel.value for channel in self.values]}")


class Product(rr.Reactor):
    def __init__(self):
        self.source, self.rows = Source(), rr.Bank(2, Row)
        self.product, self.by_rows, self.by_columns = Show(2), Show(6), Show(6)
        self.connect(self.source.vector, self.rows.vector, broadcast=True)
        self.connect(self.rows.product, self.product.values)
        self.connect(self.rows.entries, self.by_rows.values)
        self.connect(rr.interleaved(self.rows.entries), self.by_columns.values)


if __name__ == "__main__":
    rr.run(Product(), workers=1, fast=True)
