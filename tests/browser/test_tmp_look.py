import uuid
from tests.browser.scene import start
from tests.support.system import wait_for
STEP = {"job_type": "test_echo", "params": {}}
def test_look(system, visit):
    here = "acme"
    ann, bob = (system.user("operator", here, email=f"{n}-{uuid.uuid4().hex[:4]}@example.org") for n in ("anna", "bob"))
    parent = start(ann, "Nightly import", "orchestrate", steps=[STEP, STEP, {"job_type":"test_echo","params":{},"title":"Publish","approval":{"title": "ok?", "risk_level": "medium", "estimated_cost": 1}}])
    start(bob, "Broken", "test_fail"); wait_for("waiting", lambda: ann.get("tasks", status="WAITING")["tasks"], 60)
    for user, off in ((ann, 0), (bob, 7)):
        system.sql(
        """WITH made AS (INSERT INTO streams (name, closed)
               SELECT 'task:' || gen_random_uuid(), true FROM generate_series(1, 400) RETURNING id, name),
             numbered AS (SELECT id, substr(name, 6)::uuid AS task_id, row_number() OVER () AS n FROM made)
           INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params, trigger, created_at, status,
                              progress, started_at, updated_at, finished_at)
           SELECT task_id, numbered.id, %s, 'acme', 'report.daily', 'Number ' || n, 'x', '{}', 'manual', at,
                  CASE WHEN n %% 13 = 0 THEN 'FAILURE' WHEN n %% 17 = 0 THEN 'REVOKED' ELSE 'SUCCESS' END, 100, at, at, at + n * interval '1 s'
           FROM numbered, LATERAL (SELECT now() - (n + n * n %% 37) * interval '23 minute' AS at) AS moment RETURNING 1""", user.id)
    for theme in ("light", "dark"):
        for w, h in ((1280, 860), (360, 740)):
            tab = visit(ann, viewport={"width": w, "height": h}, color_scheme=theme)
            tab.open("/?scope=tenant")
            tab.page.locator("a.row .row-title", has_text="Nightly import").first.wait_for()
            fold = tab.page.get_by_role("button", name="Steps of Nightly import")
            fold.click()
            tab.page.locator("a.row .row-title", has_text="Publish").first.wait_for()
            tab.page.wait_for_timeout(1500)
            tab.page.screenshot(path=f"/tmp/pA.look/{theme}-{w}.png")
            if w == 1280 and theme == "light":
                tab.open("/?scope=tenant&time=24h&errors=true"); tab.page.wait_for_timeout(1500)
                box = tab.page.get_by_role("listbox", name="When the runs were made").bounding_box()
                m = tab.page.mouse
                m.move(box["x"]+box["width"]*.3, box["y"]+20); m.down(); m.move(box["x"]+box["width"]*.6, box["y"]+20, steps=4); m.up()
                tab.page.wait_for_timeout(1500)
                tab.page.screenshot(path="/tmp/pA.look/chosen.png"); print(tab.page.url)
    ann.client.close(); bob.client.close()
