"""What the tests run in processes of their own: ``python worker.py FOLDER NAME COUNT [HOW]``.

It inserts the numbers below COUNT under its NAME into the table ``written``, each in a statement of its own, and says
on its standard output which ones it was told are in. HOW is how: in one session (with a temporary table beside), in
many short ones through the platform, in transactions, or it opens a transaction and waits to be killed.
"""

from __future__ import annotations

import sys
import time

import firnline_sandbox
from firnline_sandbox.platform import SandboxPlatform


def in_one_session(folder: str, name: str, count: int) -> None:
    with firnline_sandbox.connect(folder) as connection:
        cursor = connection.cursor()
        say("open")
        cursor.execute("create temporary table mine (a int)")
        for number in range(count):
            cursor.execute(f"insert into written values ('{name}', {number})")
            cursor.execute(f"insert into mine values ({number})")
            say(str(number))
        (total,) = cursor.execute("select count(*) from mine").fetchone()
        assert total == count, f"the temporary table has {total} rows"


def in_short_sessions(folder: str, name: str, count: int) -> None:
    platform = SandboxPlatform.open(folder, wait_s=60)
    say("open")
    for number in range(count):
        session = platform.session(f"tag {name}")
        session.sql(f"insert into written values ('{name}', {number})").collect()
        assert not platform.missing({"FIRNLINE.PUBLIC.WRITTEN"})
        platform.table_state("FIRNLINE.PUBLIC.WRITTEN")
        session.close()
        say(str(number))
    platform.close()


def in_transactions(folder: str, name: str, count: int) -> None:
    with firnline_sandbox.connect(folder) as connection:
        cursor = connection.cursor()
        say("open")
        for number in range(count):
            cursor.execute("begin")
            cursor.execute(f"insert into written values ('{name}', {number})")
            cursor.execute("commit")
            say(str(number))


def in_a_transaction_that_hangs(folder: str, name: str, count: int) -> None:
    connection = firnline_sandbox.connect(folder)
    cursor = connection.cursor()
    cursor.execute("begin")
    cursor.execute(f"insert into written values ('{name}', {count})")
    say("open")
    time.sleep(600)


def say(text: str) -> None:
    print(text, flush=True)


HOW = {
    "session": in_one_session,
    "platform": in_short_sessions,
    "transactions": in_transactions,
    "hang": in_a_transaction_that_hangs,
}

if __name__ == "__main__":
    HOW[sys.argv[4] if len(sys.argv) > 4 else "session"](sys.argv[1], sys.argv[2], int(sys.argv[3]))
