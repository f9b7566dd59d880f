using Azure.Core;
using Azure.Core.Pipeline;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>
/// Tries a request again whose failure may pass, with exponential and jittered waits, for a given time in all rather than for a number of
/// tries: an outage is as long as it is, however fast it refuses.
/// </summary>
internal sealed class BlobRetryPolicy(TimeProvider time, TimeSpan budget) : HttpPipelinePolicy
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(15);

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var started = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            Exception? error = null;
            try
            {
                ProcessNext(message, pipeline);
            }
            catch (Exception e) when (IsPassing(message, e))
            {
                error = e;
            }

            if (Delay(message, error, tries, time.GetElapsedTime(started)) is not { } delay)
            {
                return;
            }

            Task.Delay(delay, time, message.CancellationToken).GetAwaiter().GetResult();
        }
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        var started = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            Exception? error = null;
            try
            {
                await ProcessNextAsync(message, pipeline).ConfigureAwait(false);
            }
            catch (Exception e) when (IsPassing(message, e))
            {
                error = e;
            }

            if (Delay(message, error, tries, time.GetElapsedTime(started)) is not { } delay)
            {
                return;
            }

            await Task.Delay(delay, time, message.CancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsPassing(HttpMessage message, Exception e) => message.ResponseClassifier.IsRetriable(message, e);

    /// <summary>How long to wait for the next try; null if the answer that is there is the last. Throws the error if that is the last.</summary>
    private TimeSpan? Delay(HttpMessage message, Exception? error, int tries, TimeSpan elapsed)
    {
        if (error is null && !(message.Response.IsError && message.ResponseClassifier.IsRetriableResponse(message)))
        {
            return null;
        }

        var asked = error is null && message.Response.Headers.TryGetValue("Retry-After", out var text) && int.TryParse(text, out var seconds) ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
        var grown = TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, FirstDelay.Ticks << Math.Min(tries - 1, 20)));
        var delay = grown * (0.75 + Random.Shared.NextDouble() / 2);
        delay = delay > asked ? delay : asked;
        if (elapsed + delay > budget)
        {
            return error is null ? null : throw error;
        }

        // Frees the connection.
        if (error is null)
        {
            message.Response.ContentStream?.Dispose();
        }

        return delay;
    }
}
