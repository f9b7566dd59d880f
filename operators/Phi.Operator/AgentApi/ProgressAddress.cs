using System.Globalization;
using Microsoft.AspNetCore.Http;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Operator.AgentApi;

/// <summary>Whose progress a URL takes: one replica of one attempt.</summary>
internal sealed record ProgressAddress(string Namespace, string Job, string JobUid, int Attempt, int Replica)
{
    public static string Url(string operatorUrl, TrainingJob job, int attempt, int replica) => string.Create(
        CultureInfo.InvariantCulture,
        $"{operatorUrl}{AgentRoutes.Progress}?namespace={Uri.EscapeDataString(job.Metadata.Namespace!)}&job={Uri.EscapeDataString(job.Metadata.Name!)}&uid={Uri.EscapeDataString(job.Metadata.Uid!)}&attempt={attempt}&replica={replica}");

    /// <summary>Null, with the first parameter that is missing or wrong.</summary>
    public static ProgressAddress? Read(IQueryCollection query, out string problem)
    {
        problem = "";
        foreach (var name in new[] { "namespace", "job", "uid" })
        {
            if (string.IsNullOrEmpty(query[name]))
            {
                problem = Missing(name);
                return null;
            }
        }

        if (!int.TryParse(query["attempt"], NumberStyles.None, CultureInfo.InvariantCulture, out var attempt))
        {
            problem = Missing("attempt");
            return null;
        }

        if (!int.TryParse(query["replica"], NumberStyles.None, CultureInfo.InvariantCulture, out var replica))
        {
            problem = Missing("replica");
            return null;
        }

        return new ProgressAddress(query["namespace"]!, query["job"]!, query["uid"]!, attempt, replica);

        static string Missing(string name) => $"the URL's parameter {name} is missing or wrong; post to {PhiEnvironment.ProgressUrl} as it is";
    }
}
