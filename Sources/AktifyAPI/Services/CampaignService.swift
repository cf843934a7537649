import ORM

/// The business rules of campaigns: none besides those of every resource.
struct CampaignService: ResourceService {
    let rows: any Repository<Campaign>
}
