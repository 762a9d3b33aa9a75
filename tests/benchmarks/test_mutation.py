"""Mutated bytes."""

from benchmarks.mutation import mutated

SOUND = bytes(range(256)) * 100


def test_mutations_are_repeatable_and_mutations() -> None:
    files = [mutated(SOUND, seed, [bytes(30_000)]) for seed in range(200)]
    assert files == [mutated(SOUND, seed, [bytes(30_000)]) for seed in range(200)]
    # A byte may be changed to what it was.
    assert len(set(files)) > 190 and files.count(SOUND) < 10


def test_any_bytes_can_be_mutated() -> None:
    for data in (b"", b"a", b"ab"):
        assert len({mutated(data, seed) for seed in range(200)}) > 20


def test_mutations_are_where_the_structure_is() -> None:
    changed = [
        [
            place
            for place, (a, b) in enumerate(zip(SOUND, mutated(SOUND, seed), strict=False))
            if a != b
        ]
        for seed in range(300)
    ]
    firsts = [places[0] for places in changed if places]
    ends = [place for place in firsts if place < 3200 or place >= len(SOUND) - 3200]
    assert len(firsts) / 2 < len(ends) < len(firsts)
