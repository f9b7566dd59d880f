namespace Phi.Api.TrainingJobs;

/// <summary>What the API describes and this version does not do yet. A job that asks for it is refused, never run without it.</summary>
internal static class UnsupportedFeatures
{
    public static void Check(TrainingJobSpec spec, ErrorList errors)
    {
        Refuse("spec.phi.initialize.from.azureBlob", spec.Phi?.Initialize?.From?.AzureBlob is not null, "azureBlob", "use folder or job");
        void Refuse(string field, bool asked, object? value, string remedy)
        {
            // A value that is wrong in itself has its own error already.
            if (asked && errors.Errors.All(error => error.Field != field))
            {
                errors.Add(field, value, "is not supported in this version", remedy);
            }
        }
    }
}
