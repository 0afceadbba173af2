from celery import Celery

import taskroom

app = Celery("site_config")
app.config_from_object("site_config.settings", namespace="CELERY")
taskroom.instrument(app)
app.autodiscover_tasks(["reports"], force=True)
