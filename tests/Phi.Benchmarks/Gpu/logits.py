"""Logits of a Hugging Face phi folder by transformers, fp32: argv FOLDER TOKENS OUTPUT; int64 tokens in, fp32 logits [T, V] out."""
import json
import sys

import numpy
import torch
import transformers

folder, tokens, output = sys.argv[1:]
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
model = transformers.PhiForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, attn_implementation="eager").to("cuda").eval()
ids = torch.from_numpy(numpy.fromfile(tokens, dtype=numpy.int64)).to("cuda")[None]
with torch.no_grad():
    logits = model(ids).logits[0]
logits.float().cpu().numpy().tofile(output)
print(json.dumps({"library": f"transformers {transformers.__version__}, torch {torch.__version__}"}))
