"""Encrypts messages as WeChat does, with wechatpy: an implementation that is independent of ours.

Reads {"token", "encoding_aes_key", "appid", "timestamp", "nonce", "messages": [...]} from standard
input and writes [{"query": {...}, "body": "<xml>..."}, ...] to standard output.
"""

import json
import sys
import xml.etree.ElementTree as ET

from wechatpy.crypto import WeChatCrypto

given = json.load(sys.stdin)
crypto = WeChatCrypto(given["token"], given["encoding_aes_key"], given["appid"])
pushes = []
for message in given["messages"]:
    body = crypto.encrypt_message(message, given["nonce"], given["timestamp"])
    pushes.append(
        {
            "query": {
                "timestamp": given["timestamp"],
                "nonce": given["nonce"],
                "encrypt_type": "aes",
                "msg_signature": ET.fromstring(body).findtext("MsgSignature"),
            },
            "body": body,
        }
    )
json.dump(pushes, sys.stdout)
