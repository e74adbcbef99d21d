"""Publishing from two places at once: both take their turn, on both databases."""

import threading

from gateway.lists.generations import publish, set_category
from gateway.storage import generations


def test_two_publications_at_once_become_two_generations(services):
    barrier, numbers = threading.Barrier(2), []

    def run(category: str) -> None:
        barrier.wait()
        with services.database.write() as session:
            set_category(session, services.place, "default", category, closed=False, now=services.clock())
            numbers.append(publish(session, services.place, "ola", "", services.clock()))

    threads = [threading.Thread(target=run, args=(category,)) for category in ("gaming", "dating")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [2, 3]
    with services.database.read() as session:
        assert generations.in_force(session, services.place.owner_id).generation == 3
