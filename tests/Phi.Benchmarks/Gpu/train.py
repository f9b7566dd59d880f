"""Training speed of PyTorch eager on transformers' PhiForCausalLM; argv: JSON of the model, micro-batch, passes and steps. Prints JSON."""
import json
import sys
import time

import torch
import transformers

given = json.loads(sys.argv[1])
config = transformers.PhiConfig(
    vocab_size=given["vocabularySize"], hidden_size=given["hiddenSize"], intermediate_size=given["mlpSize"], num_hidden_layers=given["layers"],
    num_attention_heads=given["heads"], partial_rotary_factor=given["rotaryDim"] * given["heads"] / given["hiddenSize"],
    max_position_embeddings=given["sequenceLength"], hidden_act="gelu_new", layer_norm_eps=1e-5, resid_pdrop=0.0, attention_dropout=0.0,
    tie_word_embeddings=False, use_cache=False)
torch.manual_seed(1)
# Master weights and moments in fp32, compute in bf16, as ours.
model = transformers.PhiForCausalLM._from_config(config, attn_implementation="sdpa").to("cuda").train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-7, weight_decay=0.1, fused=True)
micro, passes, steps, warmup = given["micro"], given["passes"], given["steps"], given["warmup"]
length = given["sequenceLength"]


def step():
    optimizer.zero_grad(set_to_none=True)
    for _ in range(passes):
        window = torch.randint(given["vocabularySize"], (micro, length + 1), device="cuda")
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = model(window[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), window[:, 1:].flatten()) / passes
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


for _ in range(warmup):
    step()
torch.cuda.synchronize()
started = time.perf_counter()
for _ in range(steps):
    step()
torch.cuda.synchronize()
seconds = (time.perf_counter() - started) / steps
print(json.dumps({"tokensPerSecond": micro * passes * length / seconds, "library": f"transformers {transformers.__version__}, torch {torch.__version__}",
                  "memory": torch.cuda.max_memory_allocated()}))
