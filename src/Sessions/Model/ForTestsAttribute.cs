namespace Sessions.Model;

/// <summary>Marks a member that tests alone use.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property)]
internal sealed class ForTestsAttribute : Attribute;
