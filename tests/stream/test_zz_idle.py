import time, os
from app.database import Single
from app.stream.store import StoreAway
from tests.stream.helpers import *
def test_idle(database):
    c=Single(database, idle_in_transaction_session_timeout="200ms")
    try:
        with c() as conn, conn.cursor() as cur:
            cur.execute("select 1")
            time.sleep(1)
            cur.execute("select 1")
    except Exception as e:
        print("CLASS", type(e).__mro__, "cause", type(e.__cause__), e, c._connection and c._connection.closed)
    try:
        with c() as conn, conn.cursor() as cur:
            cur.execute("select 1")
            time.sleep(1)
    except Exception as e:
        print("COMMIT CLASS", type(e).__mro__, "cause", type(e.__cause__), e, c._connection and c._connection.closed)
