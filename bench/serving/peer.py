"""The peer: FastAPI with the same MLP in torch, and with nothing at all. `uvicorn` serves it.

    /usr/bin/python3 bench/serving/peer.py PORT mlp.pt        # Debian's python3-fastapi python3-uvicorn python3-torch
    /usr/bin/python3 bench/serving/peer.py PORT -             # the empty echo alone, without torch
"""
import sys
from typing import List

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Row(BaseModel):
    features: List[float]


@app.post("/echo")
async def echo(row: Row):
    return {"features": row.features}


if sys.argv[2] != "-":
    import torch

    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(32, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)).eval()
    model.load_state_dict(torch.load(sys.argv[2]))

    @app.post("/predict")
    async def predict(row: Row):
        with torch.no_grad():
            return {"value": model(torch.tensor([row.features])).item()}


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
