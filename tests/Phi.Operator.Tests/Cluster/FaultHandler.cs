using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Phi.Operator.Tests.Cluster;

/// <summary>Stands between the operator's client and the API server, and does what the plan says.</summary>
internal sealed class FaultHandler(FaultPlan plan) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (plan.Next(await ApiCallName.OfAsync(request, cancellationToken)) is not { } fault)
        {
            return await base.SendAsync(request, cancellationToken);
        }

        switch (fault)
        {
            case Fault.Conflict:
                return Status(request, HttpStatusCode.Conflict, "Conflict");
            case Fault.Gone:
                return Status(request, HttpStatusCode.Gone, "Expired");
            case Fault.TooManyRequests:
                var answer = Status(request, HttpStatusCode.TooManyRequests, "TooManyRequests");
                answer.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(1));
                return answer;
            case Fault.RequestLost:
                throw new TaskCanceledException("the request timed out", new TimeoutException());
            case Fault.AnswerLost:
                using (await base.SendAsync(request, cancellationToken))
                {
                    throw new HttpRequestException("the connection broke before the answer");
                }

            case Fault.WatchCut or Fault.WatchReplayed or Fault.WatchGone:
                return await SpoilAsync(await base.SendAsync(request, cancellationToken), fault);
            default:
                return Status(request, HttpStatusCode.InternalServerError, "InternalError");
        }
    }

    private static HttpResponseMessage Status(HttpRequestMessage request, HttpStatusCode code, string reason) => new(code)
    {
        RequestMessage = request,
        Content = new StringContent($$"""{"kind":"Status","apiVersion":"v1","status":"Failure","message":"a fault of the test","reason":"{{reason}}","code":{{(int)code}}}""", Encoding.UTF8, "application/json"),
    };

    private static async Task<HttpResponseMessage> SpoilAsync(HttpResponseMessage response, Fault fault)
    {
        var pipe = new Pipe();
        var source = new StreamReader(await response.Content.ReadAsStreamAsync());
        _ = Task.Run(async () =>
        {
            try
            {
                await CopyAsync(source, pipe.Writer.AsStream(), fault);
                await pipe.Writer.CompleteAsync();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
            {
                await pipe.Writer.CompleteAsync(e);
            }
        });
        var content = new StreamContent(pipe.Reader.AsStream());
        return new HttpResponseMessage(response.StatusCode) { RequestMessage = response.RequestMessage, Content = content };
    }

    private static async Task CopyAsync(StreamReader source, Stream target, Fault fault)
    {
        var old = new List<string>();
        while (await source.ReadLineAsync() is { } line)
        {
            old.Add(line);
            string[] lines = (fault, old.Count) switch
            {
                (Fault.WatchReplayed, _) => [line, line, old[old.Count / 2]],
                (Fault.WatchCut, 2) => [line[..(line.Length / 2)]],
                (Fault.WatchGone, 2) => ["""{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410,"message":"too old"}}"""],
                _ => [line],
            };
            await target.WriteAsync(Encoding.UTF8.GetBytes(string.Join('\n', lines) + (fault == Fault.WatchCut && old.Count == 2 ? "" : "\n")));
            await target.FlushAsync();
            if (fault != Fault.WatchReplayed && old.Count == 2)
            {
                return;
            }
        }
    }
}
