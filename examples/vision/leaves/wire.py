"""How field stations send a batch of photographs."""

import pickle

import torch


def decode(payload):
    arrays = pickle.loads(payload)
    return torch.stack([torch.as_tensor(a) for a in arrays])
