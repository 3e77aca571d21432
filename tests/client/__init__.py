"""The blocking client: deadlines, pipelines, pools, threads."""
