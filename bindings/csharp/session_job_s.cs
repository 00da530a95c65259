namespace Sessions.Bindings;

public partial struct session_job_s
{
}
