namespace Phi.Training.Tests;

/// <summary>
/// The model of transformers' PhiForCausalLM in plain loops over doubles: no torch, no code of the engine but the tensors' names.
/// T tokens of one sequence; D hidden, H heads, K head size.
/// </summary>
internal sealed class PlainPhi(ModelConfiguration model, IReadOnlyDictionary<string, double[]> weights)
{
    /// <summary>Logits [T][V].</summary>
    public double[][] Logits(int[] tokens)
    {
        var d = model.HiddenSize;
        var x = Array.ConvertAll(tokens, token => weights["model.embed_tokens.weight"][(token * d)..((token + 1) * d)]);
        for (var layer = 0; layer < model.Layers; layer++)
        {
            x = Layer($"model.layers.{layer}.", x);
        }

        return Array.ConvertAll(x, row => Linear("lm_head", Norm("model.final_layernorm", row)));
    }

    /// <summary>Mean cross entropy, nats per token.</summary>
    public double Loss(int[] tokens, int[] targets) =>
        Logits(tokens).Zip(targets, (logits, target) => Math.Log(logits.Sum(value => Math.Exp(value - logits.Max()))) + logits.Max() - logits[target]).Average();

    private double[][] Layer(string prefix, double[][] x)
    {
        int t = x.Length, k = model.HeadSize;
        var normed = Array.ConvertAll(x, row => Norm(prefix + "input_layernorm", row));
        var q = normed.Select((row, position) => Rotate(Linear(prefix + "self_attn.q_proj", row), position)).ToArray();
        var keys = normed.Select((row, position) => Rotate(Linear(prefix + "self_attn.k_proj", row), position)).ToArray();
        var values = Array.ConvertAll(normed, row => Linear(prefix + "self_attn.v_proj", row));
        var result = new double[t][];
        for (var i = 0; i < t; i++)
        {
            var attended = new double[model.HiddenSize];
            for (var head = 0; head < model.Heads; head++)
            {
                var at = head * k;
                var scores = Enumerable.Range(0, i + 1).Select(j => Enumerable.Range(at, k).Sum(c => q[i][c] * keys[j][c]) / Math.Sqrt(k)).ToArray();
                var weight = Array.ConvertAll(scores, score => Math.Exp(score - scores.Max()));
                for (var c = at; c < at + k; c++)
                {
                    attended[c] = Enumerable.Range(0, i + 1).Sum(j => weight[j] * values[j][c]) / weight.Sum();
                }
            }

            var attention = Linear(prefix + "self_attn.dense", attended);
            var mlp = Linear(prefix + "mlp.fc2", Array.ConvertAll(Linear(prefix + "mlp.fc1", normed[i]), Gelu));
            result[i] = [.. x[i].Select((value, c) => value + attention[c] + mlp[c])];
        }

        return result;
    }

    /// <summary>Of each head the first dimensions are turned: dimension c and c + half are a pair.</summary>
    private double[] Rotate(double[] row, int position)
    {
        int r = model.RotaryDim, half = r / 2;
        var turned = (double[])row.Clone();
        for (var at = 0; at < row.Length; at += model.HeadSize)
        {
            for (var c = 0; c < half; c++)
            {
                var angle = position / Math.Pow(10000, 2.0 * c / r);
                turned[at + c] = row[at + c] * Math.Cos(angle) - row[at + c + half] * Math.Sin(angle);
                turned[at + c + half] = row[at + c + half] * Math.Cos(angle) + row[at + c] * Math.Sin(angle);
            }
        }

        return turned;
    }

    private double[] Norm(string name, double[] row)
    {
        var mean = row.Average();
        var deviation = Math.Sqrt(row.Average(value => (value - mean) * (value - mean)) + 1e-5);
        return [.. row.Select((value, c) => (value - mean) / deviation * weights[name + ".weight"][c] + weights[name + ".bias"][c])];
    }

    private double[] Linear(string name, double[] row)
    {
        double[] weight = weights[name + ".weight"], bias = weights[name + ".bias"];
        return [.. bias.Select((value, output) => value + Enumerable.Range(0, row.Length).Sum(input => weight[output * row.Length + input] * row[input]))];
    }

    private static double Gelu(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
}
