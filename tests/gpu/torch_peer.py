#!/usr/bin/env python3
"""Times PyTorch on the same shapes: torch_peer.py MODEL BATCH [SECONDS]. One JSON line. MODEL: resnet50, mobilenetv2, bert; PRECISION=tf32|bfloat16."""
import json
import os
import sys
import time

import torch

name, batch = sys.argv[1], int(sys.argv[2])
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 3
precision = os.environ.get("PRECISION", "tf32")
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
torch.backends.cudnn.benchmark = True
dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32


class Bert(torch.nn.Module):
    def __init__(self, layers=12, hidden=768, heads=12, inner=3072):
        super().__init__()
        self.words, self.places = torch.nn.Embedding(30522, hidden), torch.nn.Embedding(512, hidden)
        self.norm = torch.nn.LayerNorm(hidden)
        layer = torch.nn.TransformerEncoderLayer(hidden, heads, inner, 0.0, "gelu", batch_first=True)
        self.stack = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, ids):
        places = torch.arange(ids.shape[1], device=ids.device)
        return self.stack(self.norm(self.words(ids) + self.places(places)))


def main():
    if name == "bert":
        model, feed = Bert(), torch.randint(0, 30000, (batch, 128))
    else:
        import torchvision
        model = torchvision.models.resnet50() if name == "resnet50" else torchvision.models.mobilenet_v2()
        feed = torch.rand(batch, 3, 224, 224)
    model = model.eval().cuda().to(dtype)
    if name != "bert":
        model = model.to(memory_format=torch.channels_last)
        feed = feed.to(memory_format=torch.channels_last).to(dtype)
    feed = feed.pin_memory()
    compiled = torch.compile(model, mode="max-autotune-no-cudagraphs" if os.environ.get("NO_GRAPHS") else "reduce-overhead")

    def run():
        with torch.inference_mode():
            return compiled(feed.cuda(non_blocking=True)).float().cpu()

    for _ in range(5):
        run()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    print(json.dumps({"eng": "torch.compile", "model": name, "batch": batch, "precision": precision, "min_ms": round(times[0], 4),
                      "p50_ms": round(times[len(times) // 2], 4), "n": len(times)}))


main()
