import ORM

/// What can be done with campaigns: all that can be done with any rows.
struct CampaignService: ResourceService {
    let rows: any Repository<Campaign>
}
