"""The registry of job types. Workers import the code of jobs and declare its types; web processes know only these.

``types`` defines a job type, ``packages`` stores the declarations in Postgres, ``catalog`` reads them, ``params`` and
``steps`` check the parameters of a new task.
"""

ORCHESTRATE = "orchestrate"  # the job type whose steps are tasks
BULK = "bulk_action"  # the job type of what ``POST tasks/bulk`` starts; nothing else starts one
NOTHING_DONE = "nothing done"  # begins the summary of a bulk action that changed no run
