using Azure.Core;
using Azure.Core.Pipeline;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>Sees every request that is sent, retries too, and may hold or change it.</summary>
internal sealed class Interceptor(Func<HttpMessage, Task> before, Action<HttpMessage>? after = null) : HttpPipelinePolicy
{
    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        before(message).GetAwaiter().GetResult();
        ProcessNext(message, pipeline);
        after?.Invoke(message);
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await before(message);
        await ProcessNextAsync(message, pipeline);
        after?.Invoke(message);
    }
}
