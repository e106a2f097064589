"""The webhooks that have kube-apiserver ask the gate: which there should be, and putting them in force.

`plan` is pure; `configuration` asks the cluster. What a webhook says is written in the chart, never here.
"""
