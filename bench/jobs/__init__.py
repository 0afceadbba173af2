"""The job types of benchmarks and tests: the worker has them with ``TASKROOM_JOBS=workers.jobs,bench.jobs``."""
