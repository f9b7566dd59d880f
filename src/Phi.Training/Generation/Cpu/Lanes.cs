using System.Runtime.Intrinsics;

namespace Phi.Training.Generation.Cpu;

/// <summary>
/// The arithmetic of rows in vectors of 16 values. A row's result depends on the row alone: the order of every sum is fixed by the row's
/// length, whatever rows stand beside it, whatever thread computes it, and on every processor that multiplies and adds in one rounding.
/// </summary>
internal static unsafe class Lanes
{
    public const int Count = 16;

    public static int RoundUp(int length, int multiple) => (length + multiple - 1) / multiple * multiple;

    /// <summary>LayerNorm of a row.</summary>
    public static void Norm(float* x, int length, float* weight, float* bias, float epsilon, float* result)
    {
        var mean = Sum(x, length, 0, squares: false) / length;
        var scale = 1 / MathF.Sqrt(Sum(x, length, mean, squares: true) / length + epsilon);
        for (var i = 0; i < length; i++)
        {
            result[i] = (x[i] - mean) * scale * weight[i] + bias[i];
        }
    }

    /// <summary>GELU in the form with tanh: x · (1 + tanh u) / 2 = x / (1 + e^-2u). The length is a multiple of <see cref="Count"/>.</summary>
    public static void Gelu(float* x, int length, float* result)
    {
        const float Twice = 2 * 0.7978845608028654f;
        for (var i = 0; i < length; i += Count)
        {
            var value = Vector512.Load(x + i);
            var u = value * (Vector512.Create(Twice) + value * value * Vector512.Create(Twice * 0.044715f));
            Vector512.Store(value / (Vector512<float>.One + Vector512.Exp(-u)), result + i);
        }
    }

    /// <summary>The rotary embedding of a head of a row (<see cref="Model.RotaryEmbedding"/>), in place; dimension c and c + half are a pair.</summary>
    /// <param name="cos">Of the row's position, for each pair.</param>
    public static void Rotate(float* head, int half, float* cos, float* sin)
    {
        for (var c = 0; c < half; c++)
        {
            var (a, b) = (head[c], head[c + half]);
            head[c] = a * cos[c] - b * sin[c];
            head[c + half] = b * cos[c] + a * sin[c];
        }
    }

    /// <summary>Scores become e^(score · scale - the largest of these); what follows them in the last vector becomes zero.</summary>
    /// <returns>Their sum.</returns>
    public static float Exponentials(float* scores, int length, float scale)
    {
        var end = RoundUp(length, Count);
        for (var i = length; i < end; i++)
        {
            scores[i] = float.NegativeInfinity;
        }

        var most = Vector512.Create(float.NegativeInfinity);
        for (var i = 0; i < end; i += Count)
        {
            most = Vector512.Max(most, Vector512.Load(scores + i));
        }

        var largest = float.NegativeInfinity;
        for (var lane = 0; lane < Count; lane++)
        {
            largest = MathF.Max(largest, most[lane]);
        }

        var sum = Vector512<float>.Zero;
        for (var i = 0; i < end; i += Count)
        {
            var e = Vector512.Exp((Vector512.Load(scores + i) - Vector512.Create(largest)) * scale);
            Vector512.Store(e, scores + i);
            sum += e;
        }

        return Vector512.Sum(sum);
    }

    private static float Sum(float* x, int length, float mean, bool squares)
    {
        var sum = Vector512<float>.Zero;
        var i = 0;
        for (; i <= length - Count; i += Count)
        {
            var value = Vector512.Load(x + i) - Vector512.Create(mean);
            sum += squares ? value * value : value;
        }

        var total = Vector512.Sum(sum);
        for (; i < length; i++)
        {
            var value = x[i] - mean;
            total += squares ? value * value : value;
        }

        return total;
    }
}
