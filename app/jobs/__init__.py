"""The registry of job types. Workers import the code of jobs and declare its types here; web processes know only these.

``types`` says what a type is, ``packages`` keeps the declarations in Postgres, ``catalog`` reads them, ``params`` and
``steps`` check what a task is to be started with.
"""

ORCHESTRATE = "orchestrate"  # the job type whose steps are tasks
