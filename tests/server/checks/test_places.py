"""Places: a number of them, of which no client may have all."""

from adain.server.checks.places import Places


def test_nobody_has_all_of_them() -> None:
    places = Places(3, 2)
    assert [places.take("a") for _ in range(3)] == [True, True, False]
    assert places.take("b") and not places.take("c")
    places.give_back("a")
    assert places.take("c") and places.taken == 3
    for client in "abc":
        places.give_back(client)
    assert places.taken == 0
