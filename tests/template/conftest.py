"""Tests of template.yaml and network.yaml. They need neither AWS nor credentials nor a network."""

import os

# No test may reach a real account, whatever credentials the machine has.
for name in [n for n in os.environ if n.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_ACCOUNT_ID": "111122223333",
}
