using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Phi.Dashboard.Actions;
using Phi.Kubernetes;

namespace Phi.Dashboard.SignIn;

/// <summary>The keys by which sessions are signed, in a Secret: they outlive the dashboard, and its replicas share them.</summary>
internal sealed class SecretKeyRepository(KubernetesConnection connection, string @namespace) : IXmlRepository
{
    private const string Name = "phi-dashboard-keys";

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        // The interface knows no tasks; keys are read at the first sign-in and once a day.
        var secret = connection.Secrets().GetAsync(@namespace, Name, CancellationToken.None).GetAwaiter().GetResult();
        return [.. (secret?.Data?.Values ?? []).Select(value => XElement.Parse(Encoding.UTF8.GetString(value)))];
    }

    public void StoreElement(XElement element, string friendlyName) => StoreAsync(friendlyName, Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting))).GetAwaiter().GetResult();

    private async Task StoreAsync(string key, byte[] value)
    {
        await OwnSecret.EnsureAsync(connection, @namespace, Name, null, JobActions.Manager, CancellationToken.None);
        await connection.Secrets().MergePatchAsync(@namespace, Name, new JsonObject { ["data"] = new JsonObject { [key] = Convert.ToBase64String(value) } }, JobActions.Manager, null, CancellationToken.None);
    }
}
