"""What Flux needs so that Git follows the patcher: image repositories, policies and the automation that commits.

Pure: objects of the Kubernetes API as values. Asks no registry and writes no file.
"""
