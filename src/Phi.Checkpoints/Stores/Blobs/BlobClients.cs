using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>Signs in: by a signature in the location, else by what the environment has, else as the workload's identity.</summary>
internal static class BlobClients
{
    public const string ConnectionString = "AZURE_STORAGE_CONNECTION_STRING";
    public const string SignatureToken = "AZURE_STORAGE_SAS_TOKEN";

    /// <param name="environment">A variable's value by its name.</param>
    /// <exception cref="StorageException">The credential is unusable, or of another account.</exception>
    public static BlobContainerClient Open(BlobLocation location, Func<string, string?> environment, BlobOptions options)
    {
        if ((location.Signature ?? (environment(SignatureToken) is { Length: > 0 } token ? token.TrimStart('?') : null)) is { } signature)
        {
            return new BlobContainerClient(location.Address, new AzureSasCredential(signature), Client(options));
        }

        if (environment(ConnectionString) is { Length: > 0 } connection)
        {
            return Connect(connection, location, options);
        }

        return location.Service.Scheme == Uri.UriSchemeHttps
            ? new BlobContainerClient(location.Address, options.Identity ?? new DefaultAzureCredential(), Client(options))
            : throw Unusable(location, "an identity's token is sent over https alone", $"set {ConnectionString}, or write the address with https");
    }

    private static BlobContainerClient Connect(string connection, BlobLocation location, BlobOptions options)
    {
        BlobServiceClient service;
        try
        {
            service = new BlobServiceClient(connection, Client(options));
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            // Not the inner message: it may quote the string.
            throw Unusable(location, $"the connection string in {ConnectionString} cannot be read", "copy it anew from the account's access keys");
        }

        return service.AccountName == location.Account && Uri.Compare(service.Uri, location.Service, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0
            ? service.GetBlobContainerClient(location.Container)
            : throw Unusable(location, $"the connection string in {ConnectionString} is of the account '{service.AccountName}' at {service.Uri.GetLeftPart(UriPartial.Authority)}", $"name that account, or give the connection string of '{location.Account}' at {location.Service.GetLeftPart(UriPartial.Authority)}");
    }

    private static BlobClientOptions Client(BlobOptions options)
    {
        var client = new BlobClientOptions { RetryPolicy = new BlobRetryPolicy(options.Time, options.RetryFor), Retry = { NetworkTimeout = options.AnswerWithin } };
        client.Diagnostics.IsLoggingEnabled = false;
        client.Diagnostics.ApplicationId = "phi-orchestrator";
        if (options.Interceptor is { } interceptor)
        {
            client.AddPolicy(interceptor, HttpPipelinePosition.PerRetry);
        }

        return client;
    }

    private static StorageException Unusable(BlobLocation location, string problem, string remedy) =>
        new($"Azure Blob account '{location.Account}', container '{location.Container}': {problem}; {remedy}") { Fault = StorageFault.Refused };
}
